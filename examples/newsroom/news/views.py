"""What is not a page of the tree: search, the newsletter, images and the feed."""

from botocore.exceptions import ClientError
from django.conf import settings
from django.contrib.syndication.views import Feed as BaseFeed
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import storages
from django.core.validators import validate_email
from django.http import Http404, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from news import find, tasks
from news.models import TOKEN_SALT, ArticlePage, Subscriber

CHUNK = 64 * 1024
FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def search(request):
    """Articles that match the words of `q`."""
    words = request.GET.get("q", "").strip()[:100]
    articles, complete = find.articles(words) if words else ([], True)
    return render(request, "news/search.html", {"words": words, "articles": articles, "complete": complete})


@csrf_exempt  # it needs no session: the owner of the address confirms by mail
def subscribe(request):
    """The sign-up form and what it says after it was sent."""
    email, problem = request.POST.get("email", "").strip().lower(), ""
    if request.method == "POST" and not request.POST.get("website"):  # a field that only robots fill in
        try:
            validate_email(email)
        except ValidationError:
            problem = "That does not look like an e-mail address."
        else:
            subscriber, _ = Subscriber.objects.get_or_create(email=email)
            tasks.send_confirmation.enqueue(subscriber.pk)
            return redirect(f"{request.path}?asked=1")
    context = {"email": email, "problem": problem, "asked": "asked" in request.GET}
    return render(request, "news/newsletter.html", context, status=400 if problem else 200)


def confirm(request, token: str):
    """The link in the confirmation mail."""
    Subscriber.objects.filter(email=_email(token), confirmed=None).update(confirmed=timezone.now())
    return render(request, "news/newsletter.html", {"confirmed": True})


@csrf_exempt  # mail programs post here by themselves (RFC 8058)
def leave(request, token: str):
    """The link below every newsletter: asks once, because mail scanners follow links."""
    email = _email(token)
    if request.method == "POST":
        Subscriber.objects.filter(email=email).delete()
    return render(request, "news/newsletter.html", {"leaving": email, "left": request.method == "POST"})


@require_safe
def media(request, name: str):
    """A public rendition out of the object store."""
    return _object(request, storages["renditions"], name, FOR_EVER)


@require_safe
def original(request, name: str):
    """An uploaded image as it was uploaded: for signed-in editors only."""
    if not request.user.has_perm("wagtailadmin.access_admin"):
        raise PermissionDenied
    return _object(request, storages["default"], name, "private, max-age=300")


class Feed(BaseFeed):
    """The newest articles as RSS."""

    title = settings.WAGTAIL_SITE_NAME
    link = settings.WAGTAILADMIN_BASE_URL
    description = "The newest articles"

    def items(self):
        return ArticlePage.newest()[:20]

    def item_description(self, item):
        return item.standfirst

    def item_pubdate(self, item):
        return item.published

    def item_link(self, item):
        return settings.WAGTAILADMIN_BASE_URL + item.url


def server_error(request):
    """Without a template's context: whatever failed may be needed for one."""
    return render(None, "500.html", status=500)


def _email(token: str) -> str:
    try:
        return signing.loads(token, salt=TOKEN_SALT)
    except signing.BadSignature as e:
        raise Http404("that link is not complete") from e


def _object(request, storage, name: str, caching: str) -> HttpResponse:
    client = storage.connection.meta.client
    wanted = {"IfNoneMatch": request.headers["If-None-Match"]} if "If-None-Match" in request.headers else {}
    try:
        key = storage._normalize_name(name)  # refuses to leave the storage's own prefix
        found = client.get_object(Bucket=storage.bucket_name, Key=key, **wanted)
    except ClientError as e:
        status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 304:
            return HttpResponseNotModified()
        if status in (403, 404):
            raise Http404(name) from e
        raise
    response = StreamingHttpResponse(found["Body"].iter_chunks(CHUNK), content_type=found["ContentType"])
    response["Content-Length"] = found["ContentLength"]
    response["ETag"] = found["ETag"]
    response["Cache-Control"] = caching
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
