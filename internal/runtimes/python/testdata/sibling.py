def fail():
    raise LookupError("in the sibling")
