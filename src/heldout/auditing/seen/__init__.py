"""What is seen of a script, in records without torch: of its data, of its models, and all in one `log`."""
