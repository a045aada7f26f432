// SPDX-License-Identifier: MIT
// delays_loop.js PORT: connects and asks; says of both whether they took DELAY ms at least.
"use strict";
const net = require("net");

const DELAY = 300;
let ticks = 0;
let start = performance.now();

function say(what) {
	const now = performance.now();

	console.log(now - start >= DELAY ? what.replace("%", "late") : what.replace("%", "soon"));
	start = now;
}

const ticker = setInterval(() => ticks++, DELAY / 10);
const socket = net.connect(Number(process.argv[2]), "127.0.0.1");
socket.on("connect", () => {
	say("connect %");
	socket.write("PING\r\n");
});
socket.on("data", (data) => {
	say("answer % " + String(data).trim());
	console.log(ticks >= 6 ? "the loop went on" : "the loop stood still");
	clearInterval(ticker);
	socket.destroy();
});
