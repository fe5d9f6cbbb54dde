#!/usr/bin/python3
"""The story (README.md) as Debian's python3-redis tells it."""
import json
import sys

import redis

PORT, ID = sys.argv[1:3]
STUDENT = {"first_name": "Ágústína", "last_name": "Byron", "birth_date": "2012-03-04", "gender": "F"}
ALLERGY = {"id": "a1", "code": "91935009", "system": "SNOMED-CT", "display": "Allergy to peanuts", "type": "allergy",
           "category": "food", "severity": "SEVERE", "status": "active", "onset": "2015-09-01"}


def refused(call, *args):
    """The first word of the error."""
    try:
        call(*args)
    except redis.ResponseError as error:
        return str(error).split(" ", 1)[0]
    return "no error"


def main():
    client = redis.Redis(host="127.0.0.1", port=int(PORT), decode_responses=True)
    allergies = "allergies:" + ID
    print("ping", "PONG" if client.ping() else "nothing")
    client.execute_command("PUT", "student:" + ID, json.dumps(STUDENT), "IF", "NEW")
    token = client.execute_command("PUT", allergies, json.dumps([ALLERGY]), "IF", "NEW")
    allergy = json.loads(client.execute_command("GET", allergies, "AFTER", token))[0]
    print("allergies", allergy["display"], allergy["severity"])
    print("nothing", client.get("conditions:" + ID))
    print("unknown", client.get("allergies:nobody") or "nil")
    print("error", refused(client.get, "nonsense:1"))
    several = client.mget("student:" + ID, allergies, "student:nobody")
    print("mget", *("nil" if reply is None else "value" for reply in several))
    print("del", refused(client.delete, allergies))
    print("conflict", refused(client.execute_command, "PUT", allergies, "[]", "IF", "NEW"))
    pipeline = client.pipeline(transaction=False)
    for _ in range(100):
        pipeline.get(allergies)
    print("pipeline", sum("peanuts" in reply for reply in pipeline.execute()))
    print("name", json.loads(client.get("student:" + ID))["first_name"])
    client.execute_command("ERASE", "STUDENT", ID)
    print("erased", client.get(allergies) or "nil")


if __name__ == "__main__":
    main()
