"""How the hubs are reached: addresses, proxy, limits, tokens."""
