"""Gates: a few parameters beside each MLP of a frozen decoder. One file per kind; `base` says what all of them are."""
