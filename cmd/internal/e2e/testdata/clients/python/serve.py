"""Serves a web app of this folder: python serve.py NAME PORT. It says when it listens, and ends with its parent."""
import importlib
import sys
import threading
from wsgiref.simple_server import make_server

name, port = sys.argv[1:]
module = importlib.import_module(name)
app = module.make() if hasattr(module, 'make') else module.app
server = make_server('127.0.0.1', int(port), app)
threading.Thread(target=server.serve_forever, daemon=True).start()
print('listening', flush=True)
sys.stdin.read()
