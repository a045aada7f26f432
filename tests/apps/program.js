// SPDX-License-Identifier: MIT
// program.js NAME - one of the things that node programs do with sockets.
'use strict';

const assert = require('assert');
const cluster = require('cluster');
const dgram = require('dgram');
const http = require('http');

function get(host, port) {
	return new Promise((resolve, reject) => {
		http.get({host, port, agent: false}, answer => {
			let text = '';
			answer.on('data', part => { text += part; });
			answer.on('end', () => resolve(text));
		}).on('error', reject);
	});
}

function many(host, port, count) {
	return Promise.all(Array.from({length: count}, () => get(host, port)));
}

function listening(server, host) {
	return new Promise(resolve => server.listen(0, host, () => resolve(server.address().port)));
}

function refused(port) {
	return get('127.0.0.1', port).then(() => false, error => error.code === 'ECONNREFUSED');
}

function udp() {
	return new Promise(resolve => {
		const server = dgram.createSocket('udp4');
		const client = dgram.createSocket('udp4');
		server.on('message', (message, from) => server.send(message, from.port, from.address));
		client.on('message', message => {
			server.close();
			client.close();
			resolve(message.toString());
		});
		server.bind(0, '127.0.0.1', () => client.send('packet', server.address().port, '127.0.0.1'));
	});
}

async function runHttp() {
	for (const host of ['127.0.0.1', '::1']) {
		const server = http.createServer((question, answer) => answer.end('hello'));
		const port = await listening(server, host);
		for (const text of await many(host, port, 30))
			assert.strictEqual(text, 'hello');
		await new Promise(resolve => server.close(resolve));
		if (host === '127.0.0.1')
			assert(await refused(port));
	}
	assert.strictEqual(await udp(), 'packet');
}

async function runCluster() {
	const workers = [cluster.fork(), cluster.fork()];
	const ports = await Promise.all(workers.map(worker => new Promise(resolve => {
		worker.on('listening', address => resolve(address.port));
	})));
	for (const text of await many('127.0.0.1', ports[0], 20))
		assert.strictEqual(text, 'worker');
	for (const worker of workers) {
		const ended = new Promise(resolve => worker.on('exit', resolve));
		worker.disconnect();
		await ended;
	}
}

function work() {
	http.createServer((question, answer) => answer.end('worker')).listen(0, '127.0.0.1');
}

if (cluster.isWorker) {
	work();
} else {
	const name = process.argv[2];
	({http: runHttp, cluster: runCluster})[name]().then(() => console.log(`${name}: fine`));
}
