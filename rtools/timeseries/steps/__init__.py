"""Steps on series of integrations: declarations."""
