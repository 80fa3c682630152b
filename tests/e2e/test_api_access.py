# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How the agent's HTTP API is reached: credentials go to the agent alone, and https asks for its certificate."""

import socket

import pytest

from execwatch import each
from labnode import executors
from tls_server import DATA, TlsServer

HEALTHY = {"task-0": "healthy", "task-1": "healthy"}
# user:secret, in each of the forms
BASIC = "Authorization: Basic dXNlcjpzZWNyZXQ="
TEXTS = {"colon": "user:secret\n", "blank": "user secret\n", "json": '{\n "principal": "user",\n "secret": "secret"\n}\n'}


@pytest.fixture(scope="module")
def node(module_lab):
    return module_lab(executors(2, kind="v0-old"), conntrack=True)


@pytest.fixture
def tls(node, port, other_port):
    """Its port, and a function that ends it and returns what it was asked."""
    at = other_port()
    server = TlsServer(node, at, port)
    yield at, server.end
    if server.process.poll() is None:
        server.end()


@pytest.fixture
def inside(node, ew):
    """Runs execwatch inside of the node: --agent-url is asked from there."""
    ew.enters = False
    return lambda *args, **kw: ew.json("audit", *args, prefix=node.inside(), **kw)


def credential(tmp_path, text):
    path = tmp_path / "credential"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_agent_that_speaks_tls(node, inside, tls, host):
    at, asked = tls
    document = inside("--agent-url", f"https://{host}:{at}", "--ca-file", DATA / "ca.pem", code=0)
    assert each(document, node, "verdict") == HEALTHY
    assert document["agent"]["api"] == "serving"
    assert "GET /state " in asked()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_credential_goes_over_tls(node, inside, tls, tmp_path, text):
    at, asked = tls
    inside("--agent-url", f"https://127.0.0.1:{at}", "--ca-file", DATA / "ca.pem", "--credential-file",
           credential(tmp_path, text), code=0)
    assert BASIC in asked()


@pytest.mark.parametrize("host, ca", [
    ("127.0.0.1", None),  # not one of the system's authorities
    ("127.0.0.1", "other-ca.pem"),
    ("127.0.0.2", "ca.pem"),  # it names another address
])
def test_a_certificate_that_is_not_accepted(node, inside, tls, tmp_path, host, ca):
    """Nobody is asked, and nobody gets the credential."""
    at, asked = tls
    document = inside("--agent-url", f"https://{host}:{at}", *(["--ca-file", DATA / ca] if ca else []),
                      "--credential-file", credential(tmp_path, TEXTS["colon"]))
    assert document["agent"]["api"].startswith("its certificate is not accepted: ")
    assert asked() == ""


def test_plain_text_to_an_agent_that_speaks_tls(node, inside, tls):
    at, _ = tls
    assert "https://HOST:PORT" in inside("--agent-url", f"http://127.0.0.1:{at}")["agent"]["api"]


def test_the_agent_found_here_gets_the_credential(node, ew, tmp_path):
    """It is asked in its own namespace, where nobody else listens on its port."""
    document = ew.json("audit", "--credential-file", credential(tmp_path, TEXTS["blank"]), code=0)
    assert document["agent"]["api"] == "serving"


def test_plain_text_to_anybody_else_has_no_credential(node, ew, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        document = ew.json("audit", "--agent-url", url, "--credential-file",
                           credential(tmp_path, TEXTS["colon"]))
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()
    assert f"ask {url}: it is not the agent found here" in " ".join(document["notes"])
    assert document["agent"]["api"] != "serving"


def test_the_same_address_in_another_namespace_is_somebody_else(node, ew, port, tmp_path):
    with socket.create_server(("127.0.0.1", port)) as stranger:
        document = ew.json("audit", "--agent-url", f"http://127.0.0.1:{port}", "--credential-file",
                           credential(tmp_path, TEXTS["colon"]))
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()
    assert "it is not the agent found here" in " ".join(document["notes"])


def test_certificates_that_cannot_be_read(node, ew, tmp_path):
    bad = tmp_path / "ca.pem"
    bad.write_text("no certificate\n")
    done = ew("audit", "--agent-url", "https://127.0.0.1:1", "--ca-file", bad)
    assert done.code == 3
    assert f"read the trusted certificates in '{bad}'" in done.err
    assert "PEM" in done.err
