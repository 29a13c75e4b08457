"""What a webhook has got, verified by the library of Standard Webhooks: SECRET, BODY and HEADERS, which is JSON."""
import json
import os

from standardwebhooks import Webhook, WebhookVerificationError

body, headers = os.environ['BODY'], json.loads(os.environ['HEADERS'])
webhook = Webhook(os.environ['SECRET'])
assert webhook.verify(body, headers)['type'] == os.environ['TYPE']
for wrong_body, wrong_headers in ((body.replace('"', '" ', 1), headers), (body, {**headers, 'webhook-id': 'another'})):
    try:
        webhook.verify(wrong_body, wrong_headers)
    except WebhookVerificationError:
        continue
    raise SystemExit('it verifies what was changed')
print('verified')
