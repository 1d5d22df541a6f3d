"""What all explorers share: states and controls, the figure, the widget and the page; imports no explorer."""
