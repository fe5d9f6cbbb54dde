// The story (README.md) as node-redis tells it, in RESP2 and RESP3 (third argument).
'use strict';
const { createClient } = require('redis');

const [port, id, resp] = process.argv.slice(2);
const client = createClient({
  socket: { host: '127.0.0.1', port: Number(port), reconnectStrategy: false }, RESP: Number(resp),
});
const STUDENT = { first_name: 'Ágústína', last_name: 'Byron', birth_date: '2012-03-04', gender: 'F' };
const ALLERGY = {
  id: 'a1', code: '91935009', system: 'SNOMED-CT', display: 'Allergy to peanuts', type: 'allergy',
  category: 'food', severity: 'SEVERE', status: 'active', onset: '2015-09-01',
};

const word = (error) => error.message.split(' ')[0];
const refused = (promise) => promise.then(() => 'no error', word);
const shown = (reply) => (reply === null ? 'nil' : 'value');

async function story() {
  await client.connect();
  console.log('ping', await client.ping());
  await client.sendCommand(['PUT', `student:${id}`, JSON.stringify(STUDENT), 'IF', 'NEW']);
  const token = await client.sendCommand(['PUT', `allergies:${id}`, JSON.stringify([ALLERGY]), 'IF', 'NEW']);
  const [allergy] = JSON.parse(await client.sendCommand(['GET', `allergies:${id}`, 'AFTER', token]));
  console.log('allergies', allergy.display, allergy.severity);
  console.log('nothing', await client.get(`conditions:${id}`));
  console.log('unknown', (await client.get('allergies:nobody')) ?? 'nil');
  console.log('error', await refused(client.get('nonsense:1')));
  const several = await client.mGet([`student:${id}`, `allergies:${id}`, 'student:nobody']);
  console.log('mget', ...several.map(shown));
  console.log('del', await refused(client.del(`allergies:${id}`)));
  console.log('conflict', await refused(client.sendCommand(['PUT', `allergies:${id}`, '[]', 'IF', 'NEW'])));
  const reads = Array.from({ length: 100 }, () => client.get(`allergies:${id}`)); // one tick: one pipeline
  console.log('pipeline', (await Promise.all(reads)).filter((reply) => reply.includes('peanuts')).length);
  console.log('name', JSON.parse(await client.get(`student:${id}`)).first_name);
  await client.sendCommand(['ERASE', 'STUDENT', id]);
  console.log('erased', (await client.get(`allergies:${id}`)) ?? 'nil');
}

story().then(() => client.close()).catch((error) => {
  console.error(error);
  process.exit(1);
});
