# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""HTTP servers that give fixed answers: a master, a docker daemon.

argv: tcp ADDRESS PORT, or unix PATH; then JSON {path: [status, body, location]}, where "hang" for a
path answers nothing. Prints "ready" when it listens. A path counts without its query.
"""

import http.server
import json
import os
import pathlib
import socket
import socketserver
import subprocess
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    answers = {}

    def do_GET(self):
        answer = self.answers.get(self.path.split("?")[0], [404, {}])
        if answer == "hang":
            time.sleep(600)
        status, body, *location = answer
        text = json.dumps(body).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location[0])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "client"

    def log_message(self, *args):
        pass


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("client", 0)


HOLDER = """
import ctypes, os, sys, time
pid, inode = int(sys.argv[1]), sys.argv[2]
pidfd = os.pidfd_open(pid)
for fd in os.listdir(f"/proc/{pid}/fd"):
    if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
        copy = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, int(fd), 0)  # pidfd_getfd(2)
        assert copy >= 0
        print("ready", flush=True)
        time.sleep(600)
"""


class Holder:
    """A process that holds the listening socket of the node's agent, as a child that inherited it does."""

    def __init__(self, node, port):
        line = next(line.split() for line in pathlib.Path(f"/proc/{node.agent_pid}/net/tcp").read_text().splitlines()
                    if f":{port:04X} " in line and " 0A " in line)
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(node.agent_pid), line[9]],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Server:
    """One of them, run inside a node."""

    def __init__(self, node, *where, answers):
        argv = node.inside(sys.executable, os.path.abspath(__file__), *where, json.dumps(answers))
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def main():
    kind, *where, answers = sys.argv[1:]
    Handler.answers = json.loads(answers)
    if kind == "unix":
        server = UnixServer(where[0], Handler)
    else:
        socketserver.ThreadingTCPServer.address_family = socket.AF_INET
        server = http.server.ThreadingHTTPServer((where[0], int(where[1])), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
