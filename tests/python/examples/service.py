"""Answers requests that come through one pipe by another; something of each request is kept too long."""

latest = []  # to be looked at when something goes wrong; nobody ever removes anything


def answer(number):
    request = {"number": number, "body": bytes(2000)}
    latest.append(request)
    return len(request["body"])


number = 0
while True:
    with open("requests", encoding="ascii") as requests:
        count = int(requests.read())
    sent = sum(answer(number + i) for i in range(count))
    number += count
    with open("answers", "w", encoding="ascii") as answers:
        print(f"{count} answers, {sent} bytes", file=answers)
