"""The page of the admin from which a newsletter is sent."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.shortcuts import redirect, render

from news import tasks
from news.models import ArticlePage, Issue, Subscriber

ARTICLES_PER_ISSUE = 5


class IssueForm(forms.ModelForm):
    class Meta:
        model = Issue
        fields = ["subject", "introduction"]
        widgets = {"introduction": forms.Textarea(attrs={"rows": 4})}


def newsletter(request):
    """Write an issue, send it, and see how far earlier ones are."""
    if not request.user.has_perm("news.add_issue"):
        raise PermissionDenied
    form = IssueForm(request.POST or None)
    readers = Subscriber.objects.filter(confirmed__isnull=False).count()
    if request.method == "POST" and form.is_valid():
        issue = form.save(commit=False)
        issue.articles = [article.pk for article in ArticlePage.newest()[:ARTICLES_PER_ISSUE]]
        issue.save()
        tasks.send_issue.enqueue(issue.pk)
        messages.success(request, f"“{issue}” is on its way to {readers} readers.")
        return redirect("newsletter_admin")
    counts = {"readers": Count("deliveries"), "sent": Count("deliveries", filter=Q(deliveries__sent__isnull=False))}
    context = {"form": form, "readers": readers, "issues": Issue.objects.annotate(**counts)[:20]}
    return render(request, "admin_news/newsletter.html", context)
