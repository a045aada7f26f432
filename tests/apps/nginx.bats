#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nginx as in production: a daemon, three workers of another user, and a
# proxied location, so that it is server and client.

load ../lib/common.bash
load ../lib/audit.bash

setup() {
	needs_strace
	dir=$BATS_TEST_TMPDIR
	port=$(free_port)
	behind=$(free_port)
	mkdir "$dir/www"
	echo "hello from a file" >"$dir/www/file"
	chmod -R a+rX "$dir" "${BATS_RUN_TMPDIR}"
	cat >"$dir/nginx.conf" <<-END
		$(user_line)
		worker_processes 3;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 512; }
		http {
			access_log $dir/access.log;
			keepalive_timeout 0;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen 127.0.0.1:$port;
				location / { root $dir/www; }
				location /proxied/ { proxy_pass http://127.0.0.1:$behind/; }
			}
			server {
				listen $behind;
				listen [::]:$behind;
				root $dir/www;
			}
		}
	END
}

# A master that is root gives its workers to somebody else.
user_line() {
	if [ "$(id -u)" = 0 ]; then
		echo "user nobody nogroup;"
	fi
}

teardown() {
	if [ -s "$dir/nginx.pid" ]; then
		kill -TERM "$(cat "$dir/nginx.pid")"
	fi
	end_server
}

fetch() {
	curl -sS -Z -o "$dir/got-$1-#1" "http://127.0.0.1:$port/$2?[1-$3]"
	cat "$dir"/got-"$1"-* >"$dir/all-$1"
	[ "$(sort "$dir/all-$1" | uniq -c | tr -s ' ')" = " $3 hello from a file" ]
}

@test "nginx, daemonised, serves and proxies several hundred requests" {
	served nginx -e "$dir/error.log" -c "$dir/nginx.conf"
	within 20 listens "$port"
	fetch plain file 300
	fetch proxied proxied/file 200
	kill -QUIT "$(cat "$dir/nginx.pid")"
	await_server
	run grep -E 'emerg|alert|crit' "$dir/error.log"
	[ "$output" = "" ]
	same_tuples --least accept=700 --least connect=200 --least listen=3
}

@test "nginx takes a new configuration while it serves" {
	served nginx -e "$dir/error.log" -c "$dir/nginx.conf"
	within 20 listens "$port"
	fetch before file 20
	sed -i "s/worker_processes 3/worker_processes 2/" "$dir/nginx.conf"
	kill -HUP "$(cat "$dir/nginx.pid")"
	fetch after file 20
	kill -QUIT "$(cat "$dir/nginx.pid")"
	await_server
	same_tuples --least accept=40
}
