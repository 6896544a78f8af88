"""The mails that the paper writes."""

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from newsroom import contract

BULK = {"Precedence": "bulk", "X-Cordillera-Stream": "bulk"}
"""Mass mail: the platform gives it a rate of its own, so that it never delays a confirmation."""


def confirmation(subscriber) -> EmailMultiAlternatives:
    """The question that a new subscriber answers by a click."""
    link = contract.PUBLIC_URL + subscriber.link("confirm")
    return _mail("confirmation", "Please confirm your subscription", subscriber.email, {"link": link}, {})


def edition(delivery) -> EmailMultiAlternatives:
    """One issue for one subscriber. Its Message-ID is the same however often it is sent."""
    from news.models import ArticlePage

    issue, subscriber = delivery.issue, delivery.subscriber
    found = ArticlePage.objects.live().in_bulk(issue.articles)
    leave = contract.PUBLIC_URL + subscriber.link("leave")
    context = {
        "issue": issue,
        "articles": [found[pk] for pk in issue.articles if pk in found],
        "leave": leave,
    }
    headers = {
        **BULK,
        "Message-ID": f"<issue-{issue.pk}-{delivery.pk}-{issue.created:%Y%m%d%H%M%S}@{_host()}>",
        "List-Unsubscribe": f"<{leave}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return _mail("edition", issue.subject, subscriber.email, context, headers)


def _mail(name: str, subject: str, to: str, context: dict, headers: dict) -> EmailMultiAlternatives:
    context = {**context, "address": contract.PUBLIC_URL, "subject": subject}
    text = render_to_string(f"mail/{name}.txt", context)
    message = EmailMultiAlternatives(subject, text, to=[to], headers=headers)
    message.attach_alternative(render_to_string(f"mail/{name}.html", context), "text/html")
    return message


def _host() -> str:
    return contract.PUBLIC_URL.split("//")[-1].split(":")[0]
