// SPDX-License-Identifier: MIT
// exhaust_node.js serve PORT | ask PORT N - node's http, as server or as N clients at once.
'use strict';
const http = require('http');
const [what, port, count] = process.argv.slice(2);

function ask() {
	return new Promise(resolve => {
		const request = http.get({host: '127.0.0.1', port, agent: false, timeout: 2000}, answer => {
			answer.resume();
			answer.on('end', () => resolve('answered'));
			answer.on('error', error => resolve(error.code));
		});
		request.on('timeout', () => request.destroy(new Error('timeout')));
		request.on('error', error => resolve(error.code || error.message));
	});
}

async function askAll() {
	const said = await Promise.all(Array.from({length: Number(count)}, ask));
	const words = {};
	for (const word of said)
		words[word] = (words[word] || 0) + 1;
	console.log(Object.keys(words).sort().map(word => `${words[word]} ${word}`).join(', '));
}

if (what === 'serve')
	http.createServer((request, answer) => answer.end('hi\n')).listen(port, '127.0.0.1');
else
	askAll();
