"""Training on pairs: DPO, ORPO, and the reference they are held to."""
