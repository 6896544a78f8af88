"""What ModSecurity is configured with: the Core Rule Set, our limits, the manifest's exceptions.

Rules on responses are left out: they cost a fifth and find little. See docs/components/edge.md.
A body that does not say what it is would not be looked at, so it is read as a form's.
"""

from collections.abc import Iterator
from pathlib import Path

from cordillera.components.firewall import ExceptionSpec, FirewallSpec
from cordillera.targets.local import programs
from cordillera.targets.local._site import Zone

CRS = Path("/usr/share/modsecurity-crs")
SETUP = Path("/etc/modsecurity/crs/crs-setup.conf")
UNICODE = Path("/etc/nginx/unicode.mapping")
PARANOIA = {"standard": 1, "strict": 2}
EXCEPTION_ID = 100_000
METHODS = "GET HEAD POST OPTIONS PUT PATCH DELETE"

FILES = (
    "^(?:multipart/form-data|(?:image|audio|video|font)/|application/(?:octet-stream|pdf|zip|gzip|x-gzip"
    "|x-tar|x-7z-compressed|msword|vnd\\.(?:ms-|openxmlformats-|oasis\\.)))"
)
"""Kinds of bodies that are files or hold them. Above `body_limit` they are not scanned as a whole, but a
form's fields and the names of its files are: scanning 30 MB takes 4 to 10 s in which a worker answers nobody.
"""

CONFIG = """\
SecRuleEngine {engine}
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit {upload}
SecRequestBodyNoFilesLimit {body}
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecArgumentsLimit {arguments_kept}
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
SecArgumentSeparator &
SecCookieFormat 0
SecUnicodeMapFile {unicode} 20127
SecTmpDir {data}
SecDataDir {data}
SecAuditEngine RelevantOnly
SecAuditLogRelevantStatus "^(?:400|403|413)$"
SecAuditLogParts AHZ
SecAuditLogFormat JSON
SecAuditLogType Serial
SecAuditLog {logs}/firewall-audit.log

SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" \\
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \\
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule &REQUEST_HEADERS:Content-Type "@eq 0" \\
    "id:200006,phase:1,t:none,pass,nolog,ctl:requestBodyProcessor=URLENCODED"
SecRule REQUEST_HEADERS:Content-Type "@rx {files}" \\
    "id:200010,phase:1,t:none,t:lowercase,pass,nolog,setvar:tx.whole_file=1"
SecRule REQUEST_HEADERS:Content-Length "@gt {body}" \\
    "id:200011,phase:2,t:none,log,deny,status:413,msg:'The request body is larger than body_limit',chain"
    SecRule &TX:WHOLE_FILE "@eq 0" "t:none"
SecRule TX:WHOLE_FILE "@eq 1" "id:200012,phase:1,t:none,pass,nolog,chain"
    SecRule REQUEST_HEADERS:Content-Length "@gt {body}" \\
        "t:none,ctl:ruleRemoveTargetByTag=OWASP_CRS;REQUEST_BODY"
SecRule TX:WHOLE_FILE "@eq 1" "id:200013,phase:1,t:none,pass,nolog,chain"
    SecRule &REQUEST_HEADERS:Content-Length "@eq 0" \\
        "t:none,ctl:ruleRemoveTargetByTag=OWASP_CRS;REQUEST_BODY"
SecRule &ARGS "@gt {arguments}" \\
    "id:200014,phase:1,t:none,log,deny,status:400,msg:'More arguments than arguments_limit'"
SecRule &ARGS "@gt {arguments}" \\
    "id:200015,phase:2,t:none,log,deny,status:400,msg:'More arguments than arguments_limit'"
SecRule REQBODY_ERROR_MSG|REQBODY_PROCESSOR_ERROR_MSG "@contains bigger than the maximum" \\
    "id:200007,phase:2,t:none,log,deny,status:413,msg:'The request body is larger than body_limit'"
SecRule REQBODY_ERROR "!@eq 0" \\
    "id:200002,phase:2,t:none,log,deny,status:400,msg:'The request body cannot be parsed'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \\
    "id:200003,phase:2,t:none,log,deny,status:400,msg:'The multipart body is not well formed'"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \\
    "id:200004,phase:2,t:none,log,deny,status:400,msg:'The multipart body may hold another boundary'"
SecRule TX:/^MSC_/ "!@streq 0" \\
    "id:200005,phase:2,t:none,deny,status:400,msg:'The rules could not be worked through'"

Include {setup}
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level={paranoia}"
SecAction "id:900200,phase:1,nolog,pass,t:none,setvar:'tx.allowed_methods={methods}'"
{exceptions}
{rules}
"""


def config(spec: FirewallSpec, zone: Zone) -> str:
    """The whole configuration in one zone."""
    folder = Path(spec.crs) if spec.crs else CRS
    setup = folder / "crs-setup.conf" if spec.crs else SETUP
    return CONFIG.format(
        engine="On" if spec.mode == "block" else "DetectionOnly",
        upload=spec.upload_limit,
        body=spec.body_limit,
        arguments=spec.arguments_limit,
        arguments_kept=spec.arguments_limit + 1,
        files=FILES,
        unicode=UNICODE,
        data=zone.state / "nginx",
        logs=zone.state / "nginx",
        setup=setup,
        paranoia=PARANOIA[spec.level],
        methods=METHODS,
        exceptions="".join(_exception(i, e) for i, e in enumerate(spec.exceptions)),
        rules=f"Include {folder}/rules/REQUEST-*.conf",
    )


def allocator() -> dict[str, str]:
    """A quicker memory allocator where it is installed: a quarter of the rules' time is malloc."""
    found = programs.present(programs.MIMALLOC)
    return {"LD_PRELOAD": found} if found else {}


def _exception(index: int, spec: ExceptionSpec) -> str:
    removed = ",".join(_removals(spec))
    return (
        f"# {' '.join(spec.why.split())}\n"
        f'SecRule REQUEST_FILENAME "@beginsWith {spec.path}" \\\n'
        f'    "id:{EXCEPTION_ID + index},phase:1,t:none,nolog,pass,{removed}"\n'
    )


def _removals(spec: ExceptionSpec) -> Iterator[str]:
    return (f"ctl:ruleRemoveById={rule}" for rule in spec.rules)
