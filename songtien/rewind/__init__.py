"""The past as the screens showed it: written down, rebuilt where it was not, played again."""
