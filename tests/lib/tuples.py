#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tuples.py STRACE... LOG [--least KIND=N]... - is the audit what strace saw?

STRACE is the output of `strace -f -y -o`, LOG that of `tcpshim log --json`, of
the same run. Both are brought to one form, a bag of lines such as

    connect tcp 127.0.0.1:40112 -> 127.0.0.1:8080
    accept tcp 127.0.0.1:8080 <- 127.0.0.1:40112
    listen tcp 0.0.0.0:8080

and the two bags must be equal. (Calls that fail with EFAULT or EINVAL have no address to speak
of.) strace -y names every socket by its inode, so
sockets are followed over dup, fork, exec and SCM_RIGHTS without guessing.
--least: so many of a kind there must be, or the run proved nothing."""

import collections
import json
import re
import sys

IPV4 = re.compile(r'\{sa_family=AF_INET, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)\}')
IPV6 = re.compile(r'\{sa_family=AF_INET6, sin6_port=htons\((\d+)\), .*?inet_pton\(AF_INET6, "([^"]+)"')
SOCKET = re.compile(r'^(\d+)<socket:\[(\d+)\]>')
NAME = re.compile(r'msg_name=(\{sa_family=.*?\}|NULL)')
CALL = re.compile(r'^(\w+)\((.*)\)\s+= (\S+)(.*)$')
SO_ERROR = re.compile(r'SOL_SOCKET, SO_ERROR, \[(\w+)\]')
UNSPEC = '{sa_family=AF_UNSPEC'


def endpoint(text):
    """The first inet address in a piece of strace's output, or None."""
    found = IPV4.search(text)
    if found:
        return print_endpoint(found.group(2), found.group(1))
    found = IPV6.search(text)
    if found:
        return print_endpoint(found.group(2), found.group(1))
    return None


def print_endpoint(address, port):
    if address.startswith('::ffff:') and '.' in address:
        address = address[len('::ffff:'):]
    return ('[%s]:%s' if ':' in address else '%s:%s') % (address, port)


def port_of(end):
    return end.rsplit(':', 1)[1]


def is_exact(end):
    """Neither port 0 nor any address: the kernel need not be asked."""
    return end and port_of(end) != '0' and not end.startswith(('0.0.0.0:', '[::]:'))


class Socket:
    def __init__(self, proto, local=None):
        self.proto = proto  # tcp, udp or None
        self.local = local
        self.remote = None
        self.bound = False
        self.pending = None  # where a connect that did not wait goes
        self.peers = set()
        self.waiting = []   # what to say once getsockname tells the local end


def is_resolver(stack):
    """Was the call made inside libc's getaddrinfo, where no preload can see it?"""
    return any('(getaddrinfo+' in frame and '/libc.so' in frame for frame in stack)


def visible_calls(lines):
    """Yields the calls with their stacks (of strace -k) looked at and left out."""
    call, stack = None, []
    for line in lines + ['']:
        if line.startswith(' > '):
            stack.append(line)
            continue
        if call and not is_resolver(stack):
            yield call
        call, stack = line, []


def whole_calls(lines):
    """Yields (pid, call) with the parts of interrupted lines put together."""
    begun = {}
    for line in lines:
        pid, _, text = line.rstrip('\n').partition(' ')
        text = text.lstrip()
        if text.endswith('<unfinished ...>'):
            begun[pid] = text[:-len('<unfinished ...>')].rstrip()
        elif text.startswith('<... '):
            rest = text.split('resumed>', 1)[1]
            yield pid, begun.pop(pid, '') + rest
        else:
            yield pid, text


class Strace:
    """Follows the calls of a strace, and fills self.bag."""

    def __init__(self, lines):
        self.bag = collections.Counter()
        self.sockets = {}
        for _, text in whole_calls(visible_calls(lines)):
            call = CALL.match(text)
            if call and hasattr(self, call.group(1)):
                getattr(self, call.group(1))(call.group(2), call.group(3), call.group(4))
        for sock in self.sockets.values():
            self.settle(sock)

    def say(self, text, *args):
        self.bag[text % args] += 1

    def settle(self, sock):
        for tell in sock.waiting:
            tell(sock.local)
        sock.waiting = []

    def tell(self, sock, form, *rest):
        """Say it, with the local end; if only the kernel knows that, later."""
        def tell(local):
            self.say(form, local, *rest)
        if sock.proto == 'tcp' and is_exact(sock.local):
            tell(sock.local)
        else:
            sock.waiting.append(tell)

    def find(self, args):
        """The inet socket that is the first argument."""
        found = SOCKET.match(args)
        sock = self.sockets.get(found.group(2)) if found else None
        return sock if sock and sock.proto else None

    def socket(self, args, result, rest):
        made = SOCKET.match(result)
        if not made:
            return
        proto = None
        if args.startswith('AF_INET'):
            if 'SOCK_STREAM' in args and ('IPPROTO_IP' in args or 'IPPROTO_TCP' in args):
                proto = 'tcp'
            if 'SOCK_DGRAM' in args and ('IPPROTO_IP' in args or 'IPPROTO_UDP' in args):
                proto = 'udp'
        self.sockets[made.group(2)] = Socket(proto)
        if proto:
            self.say('socket %s', proto)

    def getsockname(self, args, result, _):
        sock = self.find(args)
        if sock and result == '0' and endpoint(args):
            sock.local = endpoint(args)
            self.settle(sock)

    def getpeername(self, args, result, _):
        sock = self.find(args)
        if sock and result == '0' and endpoint(args):
            sock.remote = endpoint(args)
            if sock.pending:
                self.say('connect tcp %s -> %s', sock.local, sock.pending)
                sock.pending = None

    def getsockopt(self, args, result, _):
        """SO_ERROR tells how a pending connect failed, getpeername that it did not."""
        sock, error = self.find(args), SO_ERROR.search(args)
        if sock and sock.pending and result == '0' and error and error.group(1) != '0':
            self.say('connect tcp %s %s', sock.pending, error.group(1))
            sock.pending = None
            self.lose_port(sock)

    @staticmethod
    def lose_port(sock):
        """A connect failed: a port that it had taken is given back."""
        if not sock.bound:
            sock.local = None

    def bind(self, args, result, rest):
        sock = self.find(args)
        if not sock or not endpoint(args):
            return
        if result != '0':
            if ' EINVAL ' not in rest:
                self.say('bind %s %s%s', sock.proto, endpoint(args), rest.split(' (')[0])
            return
        sock.local = endpoint(args)
        sock.bound = True
        if port_of(sock.local) != '0':
            self.say('bind %s %s', sock.proto, sock.local)
        else:
            sock.waiting.append(lambda local: self.say('bind %s %s', sock.proto, local))

    def listen(self, args, result, _):
        sock = self.find(args)
        if not sock or result != '0':
            return
        if sock.local and port_of(sock.local) != '0':
            self.say('listen %s %s', sock.proto, sock.local)
        else:
            sock.waiting.append(lambda local: self.say('listen %s %s', sock.proto, local))

    def connect(self, args, result, rest):
        sock, remote = self.find(args), endpoint(args)
        if not sock:
            return
        if result == '0' and UNSPEC in args:
            self.lose_port(sock)
        elif remote and (result == '0' or 'EINPROGRESS' in rest):
            self.settle(sock)
            sock.peers.add(remote)
            sock.pending = remote if result != '0' else None
            self.tell(sock, 'connect ' + sock.proto + ' %s -> %s', remote)
        elif remote and ' EFAULT ' not in rest and ' EINVAL ' not in rest:
            self.say('connect %s %s%s', sock.proto, remote, rest.split(' (')[0])
            if sock.pending or ' ECONNREFUSED ' in rest:
                self.lose_port(sock)

    def accept(self, args, result, _):
        listener, made = self.find(args), SOCKET.match(result)
        if not listener or not made:
            return
        sock = Socket('tcp', listener.local if is_exact(listener.local) else None)
        sock.remote = endpoint(args)
        self.sockets[made.group(2)] = sock
        if is_exact(sock.local) and sock.remote:
            self.say('accept tcp %s <- %s', sock.local, sock.remote)
        else:
            sock.waiting.append(lambda _: self.say('accept tcp %s <- %s', sock.local, sock.remote))

    accept4 = accept

    def packets(self, args, result, sign):
        sock = self.find(args)
        if not sock or sock.proto != 'udp' or result.startswith('-') or result == '?':
            return
        names = NAME.findall(args) or [args.split('>, ', 1)[-1]]
        for name in names:
            peer = endpoint(name)
            if peer and peer not in sock.peers:
                sock.peers.add(peer)
                self.say('peer udp %s', peer)

    def sendto(self, args, result, rest):
        sock = self.find(args)
        if sock and sock.proto == 'tcp' and 'MSG_FASTOPEN' in args and endpoint(args):
            started = not result.startswith('-')
            self.connect(args, '0' if started else result, rest)
        else:
            self.packets(args, result, '->')

    def recvfrom(self, args, result, _):
        self.packets(args, result, '<-')

    def sendmsg(self, args, result, _):
        self.packets(args, result, '->')

    recvmsg = recvmmsg = recvmmsg_time64 = sendmsg

    def sendmmsg(self, args, result, _):
        sent = int(result) if result.isdigit() else 0
        names = NAME.findall(args)[:sent]
        head = args.split(', ', 1)[0]
        self.packets(head + '>, ' + ' '.join('msg_name=' + name for name in names), result, '->')


def from_log(lines):
    """The same bag, from the events of the session."""
    bag = collections.Counter()
    peers = set()
    for line in lines:
        event = json.loads(line)
        call, proto, error = event['call'], event.get('proto'), event.get('errno')
        local, remote = event.get('local'), event.get('remote')
        if proto not in ('tcp', 'udp'):
            continue
        if call == 'socket' and not error:
            bag['socket %s' % proto] += 1
        elif call == 'bind' and local and error != 'EINVAL':
            bag['bind %s %s%s' % (proto, local, ' ' + error if error else '')] += 1
        elif call == 'listen' and not error:
            bag['listen %s %s' % (proto, local)] += 1
        elif call == 'connect' and remote and error in (None, 'EINPROGRESS'):
            bag['connect %s %s -> %s' % (proto, local, remote)] += 1
        elif call == 'connect' and remote:
            bag['connect %s %s %s' % (proto, remote, error)] += 1
        elif call == 'accept' and not error:
            bag['accept %s %s <- %s' % (proto, local, remote)] += 1
        elif call in ('send', 'recv') and proto == 'udp' and remote and not error:
            if (event['sock'], remote) not in peers:
                peers.add((event['sock'], remote))
                bag['peer udp %s' % remote] += 1
    return bag


def enough(bag, wishes):
    good = True
    for wish in wishes:
        kind, _, number = wish.partition('=')
        count = sum(n for line, n in bag.items() if line.startswith(kind))
        if count < int(number):
            print('only %d of "%s", expected at least %s' % (count, kind, number))
            good = False
    return good


def main():
    words = sys.argv[1:]
    wishes = [words[i + 1] for i, word in enumerate(words) if word == '--least']
    files = words[:words.index('--least')] if wishes else words
    lines = []
    for name in files[:-1]:
        with open(name, encoding='utf-8', errors='replace') as file:
            lines += file.readlines()
    seen = Strace(lines).bag
    with open(files[-1], encoding='utf-8') as file:
        logged = from_log(file)
    for line, count in sorted((seen - logged).items()):
        print('missing in the session, %d of %d: %s' % (count, seen[line], line))
    for line, count in sorted((logged - seen).items()):
        print('only in the session, %d of %d: %s' % (count, logged[line], line))
    good = enough(seen, wishes)
    print('%d tuples' % sum(seen.values()))
    sys.exit(0 if seen == logged and good else 1)


if __name__ == '__main__':
    main()
