"""The actors as machines: one event at a time, with what they send and when they want to be woken (chapters 5, 8 to 13)."""
