"""The network: public and private subnets in each zone; nothing to configure."""
