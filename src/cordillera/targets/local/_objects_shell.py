"""Having SeaweedFS do something, through its shell: buckets, and which master leads."""

from cordillera.core import process
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.local import _net, _weed
from cordillera.targets.local._keeper.leadership import transfer
from cordillera.targets.local._keeper.shell import ask
from cordillera.targets.local._objects_ask import leader_of
from cordillera.targets.local._site import Site

SHELL_TIMEOUT_S = 20.0


def shell(site: Site, *commands: str) -> str:
    """What `weed shell` answers. Raises NotReady while no master answers it."""
    zone = site.zones[0]
    within = (
        ["nsenter", f"--net={_net.NETNS_FOLDER / site.netns(zone, 'private')}"]
        if site.namespaced
        else []
    )
    argv = [*within, weed(), "shell", f"-master={_weed.masters(site)}"]
    try:
        return ask(argv, *commands, timeout_s=SHELL_TIMEOUT_S)
    except CordilleraError as e:
        raise NotReady(f"the object store does not answer yet ({e})") from e


def weed() -> str:
    """The program, which lies beside our Python."""
    from cordillera.targets.local import programs

    return programs.path("weed")


def buckets(site: Site) -> list[str]:
    """Names of the buckets that exist; none while the store does not answer."""
    try:
        lines = shell(site, "s3.bucket.list").splitlines()
    except NotReady:
        return []
    return [line.split()[0] for line in lines if line.startswith(" ") and line.split()]


def make_bucket(site: Site, bucket: str) -> None:
    """Make a bucket. May be called twice. Raises NotReady."""
    if bucket in buckets(site):
        return
    answer = shell(site, f"s3.bucket.create -name {bucket}")
    if bucket not in buckets(site):
        raise NotReady(f"bucket {bucket} could not be made: {process.last_line(answer)}")


def have_the_witness_lead(site: Site) -> None:
    """Hand the masters' lead to the one in the witness. May be called twice. Raises NotReady."""
    leader = leader_of(site)
    if leader is not None and leader.votes_only:
        return
    answer = shell(site, transfer((site.witness.private, _weed.MASTER_PORT)))
    leader = leader_of(site)
    if leader is None or not leader.votes_only:
        raise NotReady(f"the witness's master does not lead yet: {process.last_line(answer)}")


def drop_bucket(site: Site, bucket: str) -> None:
    """Delete a bucket and all that is in it. Nothing to do when the store is gone already."""
    if bucket in buckets(site):
        shell(site, "lock", f"s3.bucket.delete -name {bucket}", "unlock")
