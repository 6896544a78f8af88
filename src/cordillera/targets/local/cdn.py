"""The content cache: paths of `edge.cache` are kept by each zone's nginx; see `_nginx.py`.

from cordillera.components.target import Offered

OFFER = Offered("a content cache in each zone; there are no edge locations")
There are no edge locations on one machine: what this component promises is that a cached path costs
the app nothing, passes no firewall rules, and is still answered when every copy is down.
"""

from cordillera.components.target import Offered

OFFER = Offered("a content cache in each zone; there are no edge locations")
