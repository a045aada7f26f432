# SPDX-License-Identifier: MIT
"""A test suite with a client that must survive that its host has no ephemeral port left.

    tcpshim run -r 'limit ports 4' -- python3 -m unittest -k Patient examples/test_fetch.py

passes. With -k Hasty it fails, for want of ports; and passes without tcpshim."""

import errno
import random
import socket
import threading
import time
import unittest

QUESTIONS = 10
CLIENTS = 6


class Hasty:
    """A connection for each question. It closes first, so that each port rests for a while."""

    def __init__(self, address):
        self.address = address

    def ask(self, question):
        with socket.create_connection(self.address, 5) as connection:
            connection.sendall(question + b'\n')
            return connection.recv(100)

    def close(self):
        pass


class Patient:
    """One connection for all questions; where no port is left, it waits for one."""

    def __init__(self, address):
        self.connection = self.connect(address)

    @staticmethod
    def connect(address, pause=0.05):
        while True:
            try:
                return socket.create_connection(address, 5)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL or pause > 5:
                    raise
            time.sleep(pause * random.uniform(1, 2))
            pause *= 1.5

    def ask(self, question):
        self.connection.sendall(question + b'\n')
        return self.connection.recv(100)

    def close(self):
        self.connection.close()


def echo(connection):
    with connection:
        while line := connection.recv(100):
            connection.sendall(line)


def serve(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


class Suite:
    """The same tests for both. The server has one of the ports."""

    @classmethod
    def setUpClass(cls):
        cls.listener = socket.create_server(('127.0.0.1', 0))
        cls.address = cls.listener.getsockname()
        threading.Thread(target=serve, args=(cls.listener,), daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.listener.shutdown(socket.SHUT_RDWR)
        cls.listener.close()

    def converse(self, questions):
        client = self.client(self.address)
        try:
            return [client.ask(b'%d' % i) for i in range(questions)]
        finally:
            client.close()

    def test_many_questions(self):
        self.assertEqual(self.converse(QUESTIONS), [b'%d\n' % i for i in range(QUESTIONS)])

    def test_many_clients(self):
        for _ in range(CLIENTS):
            self.assertEqual(self.converse(1), [b'0\n'])


class HastyTest(Suite, unittest.TestCase):
    client = Hasty


class PatientTest(Suite, unittest.TestCase):
    client = Patient
