"""Model families worth serving, and which of their variants fits."""
