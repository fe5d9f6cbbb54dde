// The story (README.md) as ioredis tells it.
'use strict';
const Redis = require('ioredis');

const [port, id] = process.argv.slice(2);
const redis = new Redis({ host: '127.0.0.1', port: Number(port), retryStrategy: null });
const STUDENT = { first_name: 'Ágústína', last_name: 'Byron', birth_date: '2012-03-04', gender: 'F' };
const ALLERGY = {
  id: 'a1', code: '91935009', system: 'SNOMED-CT', display: 'Allergy to peanuts', type: 'allergy',
  category: 'food', severity: 'SEVERE', status: 'active', onset: '2015-09-01',
};

const word = (error) => error.message.split(' ')[0];
const refused = (promise) => promise.then(() => 'no error', word);
const shown = (reply) => (reply === null ? 'nil' : 'value');

async function story() {
  console.log('ping', await redis.ping());
  await redis.call('PUT', `student:${id}`, JSON.stringify(STUDENT), 'IF', 'NEW');
  const token = await redis.call('PUT', `allergies:${id}`, JSON.stringify([ALLERGY]), 'IF', 'NEW');
  const [allergy] = JSON.parse(await redis.call('GET', `allergies:${id}`, 'AFTER', token));
  console.log('allergies', allergy.display, allergy.severity);
  console.log('nothing', await redis.get(`conditions:${id}`));
  console.log('unknown', (await redis.get('allergies:nobody')) ?? 'nil');
  console.log('error', await refused(redis.get('nonsense:1')));
  const several = await redis.mget(`student:${id}`, `allergies:${id}`, 'student:nobody');
  console.log('mget', ...several.map(shown));
  console.log('del', await refused(redis.del(`allergies:${id}`)));
  console.log('conflict', await refused(redis.call('PUT', `allergies:${id}`, '[]', 'IF', 'NEW')));
  const pipeline = redis.pipeline();
  for (let n = 0; n < 100; n++) pipeline.get(`allergies:${id}`);
  const replies = await pipeline.exec();
  console.log('pipeline', replies.filter(([error, reply]) => error === null && reply.includes('peanuts')).length);
  console.log('name', JSON.parse(await redis.get(`student:${id}`)).first_name);
  await redis.call('ERASE', 'STUDENT', id);
  console.log('erased', (await redis.get(`allergies:${id}`)) ?? 'nil');
}

story().then(() => redis.quit()).catch((error) => {
  console.error(error);
  process.exit(1);
});
