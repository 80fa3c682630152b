# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An agent's HTTP API behind TLS, as an agent with LIBPROCESS_SSL_ENABLED has it. argv: certificate, key, port to
listen on, port of the agent on 127.0.0.1. Prints "ready" when it listens, then the head of each request."""

import pathlib
import socket
import ssl
import subprocess
import sys
import threading

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "tls"


class TlsServer:
    """One of them, run inside a node."""

    def __init__(self, node, port, agent_port):
        argv = node.inside(sys.executable, __file__, str(DATA / "agent.pem"), str(DATA / "agent.key"), str(port),
                           str(agent_port))
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
        """What was asked."""
        self.process.terminate()
        asked = self.process.stdout.read()
        self.process.wait()
        self.process.stdout.close()
        return asked


def pump(source, target):
    while chunk := source.recv(1 << 16):
        target.sendall(chunk)


def serve(connection, agent_port):
    with connection, socket.create_connection(("127.0.0.1", agent_port)) as agent:
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = connection.recv(1 << 16)
            if not chunk:
                return
            head += chunk
        print(head.decode(), flush=True)
        agent.sendall(head)
        pump(agent, connection)
        connection.unwrap()


def attempt(connection, context, agent_port):
    try:
        serve(context.wrap_socket(connection, server_side=True), agent_port)
    except OSError:  # the client has gone away
        connection.close()


def main():
    certificate, key, port, agent_port = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("", int(port))) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=attempt, args=(connection, context, int(agent_port)), daemon=True).start()


if __name__ == "__main__":
    main()
