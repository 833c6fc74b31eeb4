"""How pictures are laid out -> `Examples`: class folders, listings, the official Flowers-102; `photos` takes any."""
