#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real programs by rules: an ordinary user, in a network namespace of his own.
# shellcheck disable=SC2016 # variables of nginx, and of scripts

bats_require_minimum_version 1.5.0
load ../lib/common.bash
load ../lib/alone.bash

# scenario <SCRIPT: a script of bash that fails when a line fails
scenario() {
	{
		printf '%s\n' 'set -euE' 'PATH=$PWD/build:$PATH' \
			'trap '\''echo "line $LINENO: $BASH_COMMAND"'\'' ERR' \
			'trap '\''kill $(jobs -p) 2>/dev/null || true; wait || true'\'' EXIT' \
			"$(declare -f within)" 'listens() { [ -n "$(ss -Hltn "sport = :$1")" ]; }'
		cat
	} >"$home/scenario"
	alone bash ./scenario
}

setup() {
	home_of examples
}

# nginx_conf LISTEN...: that nginx says which port it believes to have
nginx_conf() {
	{
		echo "daemon off; worker_processes 2; pid $home/pid; error_log $home/error;"
		echo 'events { worker_connections 256; }'
		echo "http { access_log $home/access; keepalive_timeout 0;"
		for kind in client_body proxy fastcgi uwsgi scgi; do
			echo "${kind}_temp_path $home/$kind;"
		done
		echo 'server {'
		printf 'listen %s;' "$@"
		echo 'location / { return 200 "port $server_port"; }'
		echo 'location /behind { proxy_pass http://127.0.0.1:9000/; } } }'
	} >"$home/nginx.conf"
}

@test "nginx has port 80 as an ordinary user, and is reached on 8080; also after a reload" {
	nginx_conf 80 '[::]:80'
	scenario <<-'END'
		tcpshim run -q -o s.tcpshim -r 'move bind tcp 0.0.0.0:80 to :8080' \
			-r 'move bind tcp [::]:80 to [::1]:8081' nginx -e $PWD/error -c $PWD/nginx.conf &
		within 10 listens 8080
		[ "$(curl -s http://127.0.0.1:8080/)" = 'port 80' ]
		[ "$(curl -s http://[::1]:8081/)" = 'port 80' ]
		listens 80 && exit 1
		kill -HUP "$(cat pid)"
		for i in 1 2 3 4 5; do
			[ "$(curl -s http://127.0.0.1:8080/)" = 'port 80' ]
		done
		kill -QUIT "$(cat pid)"
		wait
		tcpshim report s.tcpshim >report
		grep -F '0.0.0.0:8080 (asked for :80)' report
		grep -F '[::1]:8081 (asked for :80)' report
		grep -E 'emerg|alert|crit' error && exit 1
		true
	END
}

@test "curl is told the destination that it asked for" {
	scenario <<-'END'
		examples/backend 8000 >up &
		within 10 test -s up
		tcpshim run -q -o s.tcpshim -r 'move connect tcp 192.0.2.7:80 to 127.0.0.1:8000' \
			curl -s -o page -w '%{remote_ip}:%{remote_port}' http://192.0.2.7/ >said
		[ "$(cat said)" = 192.0.2.7:80 ]
		grep -q 'you call from port' page
		tcpshim log --call connect s.tcpshim | grep -F '192.0.2.7:80 -> 127.0.0.1:8000'
	END
}

@test "two servers insist on port 8080, each in a session of its own; both are reached" {
	scenario <<-'END'
		for i in 1 2; do
			mkdir $i
			echo "this is $i" >$i/index.html
			cat >$i.rules <<-RULES
				move bind tcp :8080 to :2000$i
				move connect tcp 127.0.0.1:8080 to :2000$i
			RULES
			tcpshim run -q -o $i.tcpshim -f $i.rules python3 -m http.server -d $i 8080 \
				>/dev/null 2>&1 &
		done
		within 10 listens 20001
		within 10 listens 20002
		for i in 1 2; do
			[ "$(curl -s http://127.0.0.1:2000$i/)" = "this is $i" ]
			[ "$(tcpshim run -q -f $i.rules curl -s http://127.0.0.1:8080/)" = "this is $i" ]
		done
	END
}

@test "sessions in parallel ask for any port, and have none in common" {
	scenario <<-'END'
		for i in 1 2 3 4; do
			tcpshim run -q -f examples/parallel.rules python3 -c '
		import socket, sys, time
		held = [socket.create_server(("127.0.0.1", 0)) for _ in range(60)]
		print(*(s.getsockname()[1] for s in held), sep="\n", flush=True)
		time.sleep(60)' >ports.$i &
		done
		has_all() { [ "$(cat ports.? | wc -l)" = 240 ]; }
		within 20 has_all
		[ "$(cat ports.? | sort -u | wc -l)" = 240 ]
		for i in 1 2 3 4; do
			sort -n ports.$i | awk 'NR == 1 {low = $1} END {exit $1 - low >= 128}'
		done
	END
}

@test "300 connections of curl leave from 30000-30999, as the server sees them" {
	scenario <<-'END'
		examples/backend >up &
		within 10 test -s up
		tcpshim run -q -r 'assign connect tcp 127.0.0.0/8:9000 from 30000-30999' \
			curl -s -Z -o 'got-#1' 'http://127.0.0.1:9000/?[1-300]'
		cat got-* | awk '{print $NF}' >ports
		[ "$(wc -l <ports)" = 300 ]
		awk '$1 < 30000 || $1 > 30999 {bad = 1} END {exit bad}' ports
		[ "$(sort -u ports | wc -l)" -gt 100 ]
	END
}

@test "redis: its own port and no other; clients from their range, some not at all" {
	command -v redis-server >/dev/null || skip "no redis here"
	scenario <<-'END'
		cat >redis.rules <<-RULES
			allow  bind    tcp 127.0.0.1:6379
			deny   bind    any
			deny   accept  tcp 127.0.0.2
			deny   connect any
		RULES
		redis='timeout 60 redis-server --port 6379 --save "" --daemonize no'
		tcpshim run -q -f redis.rules $redis --bind 127.0.0.1 127.0.0.3 >out && exit 1
		grep -i 'permission denied' out
		tcpshim run -q -o s.tcpshim -f redis.rules $redis --bind 127.0.0.1 >out &
		within 10 listens 6379
		tcpshim run -q -r 'assign connect tcp :6379 from 31000-31009' \
			redis-cli client list | grep -E 'addr=127.0.0.1:3100[0-9] '
		tcpshim run -q -r 'deny connect tcp :6379' redis-cli ping 2>&1 |
			grep -i 'permission denied'
		python3 -c '
		import socket
		try:
		    away = socket.create_connection(("127.0.0.1", 6379), 5, ("127.0.0.2", 0))
		    away.recv(1)
		except ConnectionResetError:
		    print("reset")' | grep reset
		[ "$(redis-cli ping)" = PONG ]
		tcpshim log --verdict denied s.tcpshim | grep 'accept.*127.0.0.2'
		redis-cli shutdown nosave
	END
}

@test "node: told port 80, told its peer, told EACCES" {
	command -v node >/dev/null || skip "no node here"
	cat >"$home/program.js" <<-'END'
		const net = require('net');
		const server = net.createServer(c => c.end(String(c.localPort)));
		server.listen(80, '127.0.0.1', () => {
			console.log(server.address().port);
			const client = net.connect(5432, '10.0.0.5');
			client.on('data', data => console.log(`${data} from ${client.remoteAddress}`));
			client.on('close', () => {
				server.close();
				net.connect(443, '192.0.2.1').on('error', e => console.log(e.code));
			});
		});
	END
	run alone build/tcpshim run -q -r 'move bind tcp :80 to :8080' \
		-r 'move connect tcp 10.0.0.5:5432 to 127.0.0.1:8080' -r 'deny connect any' \
		"$(node -p process.execPath)" program.js
	[ "$output" = "80
80 from 10.0.0.5
EACCES" ]
}

@test "java: told port 80, told its peer, told Permission denied" {
	command -v javac >/dev/null || skip "no Java compiler here"
	cat >"$home/Program.java" <<-'END'
		import java.net.*;
		class Program {
			public static void main(String[] args) throws Exception {
				var server = new ServerSocket(80);
				System.out.println(server.getLocalPort());
				var client = new Socket("10.0.0.5", 5432);
				System.out.println(client.getRemoteSocketAddress());
				System.out.println(server.accept().getLocalPort());
				try {
					new Socket("192.0.2.1", 443);
				} catch (SocketException e) {
					System.out.println(e.getMessage());
				}
			}
		}
	END
	run alone build/tcpshim run -q -r 'move bind tcp :80 to :8080' \
		-r 'move connect tcp 10.0.0.5:5432 to 127.0.0.1:8080' -r 'deny connect any' \
		java Program.java
	[[ "$output" == "80
/10.0.0.5:5432
80
Permission denied"* ]]
}

@test "an audited nginx and curl run by what suggest made of them: nothing denied; more is" {
	nginx_conf 8080
	cat >"$home/traffic" <<-'END'
		nginx -e $PWD/error -c $PWD/nginx.conf &
		for i in {1..100}; do
			[ -s pid ] && curl -s "http://127.0.0.1:8080/" && break
			sleep 0.1
		done
		curl -s 'http://127.0.0.1:8080/[1-20]'
		curl -s 'http://127.0.0.1:8080/behind?[1-5]'
		[ -z "$more" ] || curl -s "$more"
		kill -QUIT "$(cat pid)"
		wait
	END
	scenario <<-'END'
		export more=
		examples/backend >up &
		within 10 test -s up
		tcpshim run -q --strict -o base.tcpshim bash traffic >base
		for how in '' --per-program; do
			tcpshim suggest $how base.tcpshim >suggested.rules
			cat suggested.rules
			rm -f pid
			tcpshim run -q --strict -f suggested.rules bash traffic >again
			cmp <(grep -c 'port 8080' base) <(grep -c 'port 8080' again)
			status=0
			rm -f pid
			more=http://127.0.0.2:9000/ tcpshim run -q --strict -f suggested.rules \
				bash traffic >again || status=$?
			[ $status = 3 ]
		done
		status=0
		rm -f pid
		more=http://127.0.0.2:9000/ tcpshim run -q -o more.tcpshim bash traffic >again
		tcpshim diff base.tcpshim more.tcpshim >diff || status=$?
		[ $status = 1 ]
		grep -F '+ connect tcp 127.0.0.2:9000  curl' diff
	END
}
