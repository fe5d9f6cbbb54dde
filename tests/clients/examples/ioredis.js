const Redis = require('ioredis');
const redis = new Redis(Number(process.env.PORT ?? 7379), '127.0.0.1');

async function main() {
  // [] means: a known student with nothing recorded. null means: no such student.
  const allergies = JSON.parse(await redis.get('allergies:42'));
  console.log(allergies.map((allergy) => `${allergy.display}: ${allergy.severity}`));

  // Whoever writes gets a token; a read AFTER it sees the write, wherever it is answered.
  const visit = [{ date: '2026-09-01T08:30:00Z', kind: 'nurse', reason: 'headache' }];
  const token = await redis.call('PUT', 'visits:42', JSON.stringify(visit), 'IF', 'FORCE');
  console.log(JSON.parse(await redis.call('GET', 'visits:42', 'AFTER', token))[0].reason);
  await redis.quit();
}

main();
