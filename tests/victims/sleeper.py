# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A victim in Python: eight threads that wait for the ping, and the first that reads it.

Offsets: see victim.h. All eight must answer before thread 0's pong is raised.
"""
import mmap
import os
import struct
import threading

READY, PING, N_THREADS, TID, PONG = 0, 4, 8, 108, 112
WORKERS = 8

page = mmap.mmap(3, 16384)
turn = threading.Condition()
rounds = 1
answers = threading.Semaphore(0)


def put(offset, value):
    page[offset:offset + 4] = struct.pack("=I", value)


def work():
    seen = 1
    while True:
        with turn:
            turn.wait_for(lambda: rounds != seen)
            seen = rounds
        answers.release()


for _ in range(WORKERS):
    threading.Thread(target=work, daemon=True).start()
put(N_THREADS, 1)
put(PING, 1)
put(TID, os.getpid())
put(PONG, 1)
put(READY, 1)
while os.read(0, 1):
    with turn:
        rounds += 1
        turn.notify_all()
    for _ in range(WORKERS):
        answers.acquire()
    put(PONG, rounds)
