"""The one repeat: a GET whose copy is gone is sent to another copy, once.

A copy that is well and closes the connection, answers badly or is slow gets no second request. Gone is
what the checks took out, or what takes no connection any more. nginx asks again, so that one place does it
for all. See docs/decisions/0020-edge-doors.md.
"""

from pathlib import Path

REPEATED = ("GET", "HEAD", "OPTIONS")
STATUS = 598
"""Between the balancer and nginx only: no copy answered."""
WANTED, COPY = "X-Cordillera-Again", "X-Cordillera-Copy"
SCRIPT_NAME = "gone.lua"
CONNECT_S = 0.1
LOOKS, BETWEEN_LOOKS_MS = 3, 30
END_EVERY_MS, END_AFTER_MS = 100, 200
"""Moving a request to another copy takes `timeout connect`, twice at most."""

_SCRIPT = f"""\
local function takes_connections(server, socket)
  local address, port = string.match(server:get_addr(), "^(.*):(%d+)$")
  if socket == nil and address == nil then return true end
  local line = core.tcp()
  line:settimeout({CONNECT_S})
  if socket then address, port = "unix@" .. socket, nil end
  local taken = line:connect(address, port and tonumber(port))
  line:close()
  return taken ~= nil
end

core.register_action("gone", {{"http-req"}}, function(txn)
  local copy = core.backends["copies"].servers[txn.sf:req_hdr("{COPY}")]
  if copy == nil then return end
  for _ = 1, {LOOKS} do
    if string.sub(copy:get_stats()["status"], 1, 4) == "DOWN" then
      return txn:set_var("txn.gone", true)
    elseif not takes_connections(copy) then
      copy:check_force_down()
      return txn:set_var("txn.gone", true)
    end
    core.msleep({BETWEEN_LOOKS_MS})
  end
end)

core.register_task(function()
  local sockets = {{ waf = "NGINX_SOCKET" }}
  for _, backend in pairs({{"waf", "copies"}}) do
    for name, server in pairs(core.backends[backend].servers) do
      if not string.find(name, "-anyway", 1, true)
          and not takes_connections(server, sockets[backend]) then
        server:check_force_down()
      end
    end
  end
  local since = {{}}
  while true do
    core.msleep({END_EVERY_MS})
    local up, down = false, {{}}
    for name, copy in pairs(core.backends["copies"].servers) do
      local state = string.sub(copy:get_stats()["status"], 1, 4)
      if state == "DOWN" then
        since[name] = (since[name] or 0) + {END_EVERY_MS}
        if since[name] > {END_AFTER_MS} then table.insert(down, copy) end
      else
        since[name] = nil
        up = up or string.sub(state, 1, 2) == "UP"
      end
    end
    if up then
      for _, copy in ipairs(down) do copy:shut_sess() end
    end
  end
end)
"""
"""Whether the copy that a GET was sent to is gone: HAProxy's rules cannot try a connection themselves.

One that takes none is down from then on, until its checks find it up: the repeat must not go there again.
A process that ends may close its connections before it stops listening, so one look is not enough.

HAProxy takes every server for well when it starts, so the task first tries each: an edge that is ready before
its firewall would answer 503 until two checks failed. Then it ends what waits for a copy that is down,
while another is up. HAProxy's own `on-marked-down
shutdown-sessions` does so at once, and with it requests that are just being moved to another copy.
"""


def script(nginx: Path) -> str:
    """It, in a zone whose nginx listens at that socket. Pure."""
    return _SCRIPT.replace("NGINX_SOCKET", str(nginx))


FIRST = (
    f"http-request set-var(txn.again) bool(true) if {{ req.hdr({WANTED}) -m found }}",
    f"http-request del-header {WANTED}",
    f"http-request del-header {COPY}",
    "http-response set-var(txn.answered) bool(true)",
    f"http-response set-status 502 if {{ status {STATUS} }}",
    f"http-response del-header {COPY}",
    "acl unanswered status 502 503",
    "acl answered var(txn.answered) -m bool",
    "acl again var(txn.again) -m bool",
    f"http-after-response set-header {COPY} %s if again unanswered !answered",
    f"http-after-response set-status {STATUS} if again unanswered !answered",
)
"""Lines of the frontend that nginx sends requests to."""

SECOND = (
    "http-request lua.gone",
    f"http-request deny deny_status 503 if {{ req.hdr({COPY}) -m sub NOSRV }}",
    "http-request deny deny_status 502 unless { var(txn.gone) -m bool }",
    f"http-request del-header {COPY}",
    f"http-response set-status 502 if {{ status {STATUS} }}",
)
"""Lines of the frontend that nginx asks again at."""
