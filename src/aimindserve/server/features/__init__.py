"""The features of the API: each is a folder with ``api`` (routes), ``service`` (what they do) and, where it pays,
``store`` (queries). ``server.registry`` lists them."""
