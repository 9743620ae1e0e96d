"""What apps send by themselves: registered, verified and read as a connector file says."""
