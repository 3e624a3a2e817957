"""What gunicorn loads: `gunicorn --chdir hps-api app:app`."""

from hps_api import create_app

app = create_app()
