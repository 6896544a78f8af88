"""How a customer's own AWS account does each component: one file per component."""
