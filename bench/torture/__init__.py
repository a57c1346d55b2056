"""A rig that tries to lose a point: writers, readers, folds and faults, and a ledger.

Start it by `bench/torture/run`. Everything that a seed decides is drawn before the start;
what the machine makes of it differs from one time to the next.
"""
