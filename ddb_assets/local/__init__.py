"""AWS in a box: moto's server with the missing half added."""
