"""What keeps the world as it was asked for: each loop looks at the whole level, decides purely, applies guarded."""
