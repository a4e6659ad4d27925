from ops.services.debian_source import Source, derive, parse_deb822, parse_one_line

BOOKWORM = """\
Types: deb
# a remark
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def test_the_machines_own_mirror_and_keyring_serve_the_newer_release() -> None:
    assert derive(parse_deb822(BOOKWORM), "bookworm") == Source(
        uris=("http://mirror.example/debian",),
        suites=("trixie",),
        components=("main",),
        options=(("Signed-By", "/usr/share/keyrings/debian-archive-keyring.gpg"),),
    )


def test_a_one_line_source_keeps_its_options() -> None:
    text = (
        "# old\ndeb-src http://a/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://a/debian bookworm main # x\n"
    )
    found = derive(parse_one_line(text), "bookworm")
    assert found is not None
    assert found.render() == (
        "Types: deb\nURIs: http://a/debian\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n"
    )


def test_other_peoples_archives_are_not_taken_for_debian() -> None:
    text = "deb http://browser.example/deb stable main\ndeb http://tools.example/apt bookworm main\n"
    own = "deb http://mirror.example/debian/ stable main\n"
    found = derive(parse_one_line(text + own), "bookworm")
    assert found is not None
    assert found.uris == ("http://mirror.example/debian/",)


def test_a_disabled_source_does_not_count() -> None:
    assert derive(parse_deb822("Enabled: no\n" + BOOKWORM.partition("\n\n")[0]), "bookworm") is None


def test_a_machine_without_a_debian_source_has_none() -> None:
    assert derive(parse_one_line("deb http://browser.example/deb stable main\n"), "bookworm") is None


def test_an_inline_key_stays_whole() -> None:
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    found = derive(parse_deb822(BOOKWORM.partition("Signed-By")[0] + key + "\n"), "bookworm")
    assert found is not None
    assert found.render().endswith("Signed-By: \n" + key.partition("\n")[2] + "\n")
