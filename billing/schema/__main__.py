"""Write the published schema anew after the document has changed."""

import sys

from billing.schema import write

sys.stdout.write(f"{write()}\n")
