#!/usr/bin/env bash
# The story (README.md) as redis-cli tells it; a third argument such as -3 goes to redis-cli.
set -euo pipefail
port=$1
id=$2
cli() { redis-cli ${resp:-} -p "$port" "$@"; }
resp=${3:-}
student='{"first_name":"Ágústína","last_name":"Byron","birth_date":"2012-03-04","gender":"F"}'
allergy='{"id":"a1","code":"91935009","system":"SNOMED-CT","display":"Allergy to peanuts","type":"allergy",'
allergy+='"category":"food","severity":"SEVERE","status":"active","onset":"2015-09-01"}'

# The value of a member in a JSON reply.
member() { sed -E "s/.*\"$1\":\"([^\"]*)\".*/\1/"; }
word() { head -n 1 | cut -d ' ' -f 1; }
or_nil() { grep . || echo nil; }

echo "ping $(cli PING)"
cli PUT "student:$id" "$student" IF NEW >/dev/null
token=$(cli PUT "allergies:$id" "[$allergy]" IF NEW)
reply=$(cli GET "allergies:$id" AFTER "$token")
echo "allergies $(member display <<<"$reply") $(member severity <<<"$reply")"
echo "nothing $(cli GET "conditions:$id")"
echo "unknown $(cli GET allergies:nobody | or_nil)"
echo "error $(cli GET nonsense:1 | word)"
echo "mget $(cli --raw MGET "student:$id" "allergies:$id" student:nobody |
        sed -e 's/^[[{].*/value/' -e 's/^$/nil/' | paste -sd ' ')"
echo "del $(cli DEL "allergies:$id" | word)"
echo "conflict $(cli PUT "allergies:$id" '[]' IF NEW | word)"
echo "pipeline $(for _ in {1..100}; do echo "GET allergies:$id"; done | cli | grep -c peanuts)"
echo "name $(cli GET "student:$id" | member first_name)"
cli ERASE STUDENT "$id" >/dev/null
echo "erased $(cli GET "allergies:$id" | or_nil)"
