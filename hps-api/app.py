"""What gunicorn loads: `gunicorn --chdir hps-api app:app`. Its log is scrubbed of secrets, as detailed as LOG_LEVEL says."""

import logging

from hps import log
from hps.registry import settings
from hps.registry.keys import TABLE
from hps_api import create_app

paths = settings.open_paths()
log.setup(settings.log_level(paths), [key.name for key in TABLE if key.secret])
for handler in logging.getLogger("gunicorn.error").handlers:
    log.scrubbed(handler)
app = create_app(paths)
