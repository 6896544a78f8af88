"""The keeper of a zone: it fences, promotes and rejoins the zone's database, by leases and votes in etcd."""
