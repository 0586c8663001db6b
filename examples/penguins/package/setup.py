from setuptools import find_packages, setup

setup(
    name="penguins-trainer",
    version="1.0",
    description="Tells penguin species apart; one program for every replica of a training job.",
    packages=find_packages(),
    install_requires=["gcsfs"],
    python_requires=">=3.9",
)
