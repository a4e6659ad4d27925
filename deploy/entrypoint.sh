#!/bin/sh
# Secrets come as files: PARKING_DATABASE_URL_FILE names the file that holds PARKING_DATABASE_URL, and so on.
set -eu
for name in PARKING_DATABASE_URL PARKING_MQTT_URL PARKING_SECRET_KEY PARKING_PLATE_KEY; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        if [ ! -r "$file" ]; then
            echo "parking: ${name}_FILE names $file, which cannot be read" >&2
            exit 1
        fi
        value=$(cat "$file")
        export "$name=$value"
    fi
done
exec parking "$@"
