import json
import os
import redis

client = redis.Redis(host="127.0.0.1", port=int(os.environ.get("PORT", "7379")), decode_responses=True)

# [] means: a known student with nothing recorded. None means: no such student.
allergies = json.loads(client.get("allergies:42"))
print([f"{allergy['display']}: {allergy['severity']}" for allergy in allergies])

# Whoever writes gets a token; a read AFTER it sees the write, wherever it is answered.
visit = [{"date": "2026-09-01T08:30:00Z", "kind": "nurse", "reason": "headache"}]
token = client.execute_command("PUT", "visits:42", json.dumps(visit), "IF", "FORCE")
print(json.loads(client.execute_command("GET", "visits:42", "AFTER", token))[0]["reason"])
