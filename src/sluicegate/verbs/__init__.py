"""The verbs that look at what stands. One short file each, registered as a plug-in's would be."""
