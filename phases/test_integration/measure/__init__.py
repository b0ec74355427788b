"""For developers: times and success rates of insertion and ranking. No request runs this."""
