// What each kind of node is, in a sentence or two, for who asks "what is this?".
import { texts } from "~/i18n";

export const whyTexts = texts("why", {
  en: {
    caller:
      "The program that called the API: a script, a notebook, the command line or this console. What looks like a function call in it is a request; the work happens elsewhere.",
    source:
      "The objects in your bucket that the dataset points at. They are read where they lie; nothing is copied until a run asks for its splits.",
    dataset:
      "A managed dataset is a name for data, with its schema. The run got its id, and exported from it what each split needs.",
    splits:
      "Training, validation and test rows, written as files into your bucket. The workers find them in AIP_TRAINING_DATA_URI and its like.",
    package:
      "Your code as a source distribution in your bucket. Each replica fetches it by itself, with its own identity, and installs it.",
    pipeline:
      "A training pipeline does in order what a person would do by hand: export the data, run the job, register the model, record lineage.",
    job: "The custom job holds worker pools: which image, which code, which machines, how many. It stands in your project and runs in the other.",
    files:
      "What the replicas wrote to your bucket, and what else of it they read. AIP_MODEL_DIR and its like point here.",
    model: "A version in the Model Registry. It points at the files of the model and remembers which pipeline made it.",
    lineage:
      "ML Metadata: which data, code and run made which model. It was written down by the platform, not by your code.",
    logs: "What the programs print goes to Cloud Logging of your project, though they run in another one.",
    queue:
      "Jobs wait here until there is room. The reason for waiting is told; nothing in your program is running yet.",
    image:
      "What the image name became on this machine: an interpreter and packages, built once and shared. Differences to the real image are told.",
    attempt:
      "One try at running all replicas together. When a replica is lost or crashes, another attempt begins from the start.",
    pool: "Replicas with one machine type and one program. Pool 0 is the primary: its exit decides how the job ends.",
    replica:
      "Your program, in a project that is not yours. CLUSTER_SPEC tells it who its peers are and which index it has.",
    account: "Who the code runs as. Not you: a service account, and what it may not do, the code may not do.",
    metadata:
      "Each replica has a metadata server of its own. Google's libraries ask it for the project and for tokens; that is why they think they are in the tenant project.",
  },
  zh: {
    caller: "调用 API 的程序：脚本、笔记本、命令行或本控制台。其中看似函数调用的其实是一个请求；工作发生在别处。",
    source: "数据集所指向的、您存储桶中的对象。数据在原处读取；在运行请求拆分之前不会复制。",
    dataset: "托管数据集是数据的名字及其模式。运行得到它的 ID，并从中导出各个拆分所需的内容。",
    splits: "训练、验证和测试数据行，以文件形式写入您的存储桶。工作器通过 AIP_TRAINING_DATA_URI 等变量找到它们。",
    package: "您的代码以源码分发包的形式放在存储桶中。每个副本以自己的身份获取并安装它。",
    pipeline: "训练流水线依次完成人工要做的事：导出数据、运行作业、注册模型、记录沿袭。",
    job: "自定义作业包含工作器池：用哪个镜像、哪段代码、哪种机器、多少个。它属于您的项目，却在另一个项目中运行。",
    files: "副本写入您存储桶的内容，以及它们读取的其他内容。AIP_MODEL_DIR 等变量指向这里。",
    model: "模型注册表中的一个版本。它指向模型文件，并记住由哪个流水线产生。",
    lineage: "ML 元数据：哪些数据、代码和运行产生了哪个模型。由平台记录，而不是由您的代码记录。",
    logs: "程序的输出进入您项目的 Cloud Logging，尽管程序在另一个项目中运行。",
    queue: "作业在这里等待空位，并说明等待原因；此时您的程序尚未运行。",
    image: "镜像名称在本机上对应的内容：解释器与软件包，只构建一次并共享。与真实镜像的差异会注明。",
    attempt: "一次同时运行全部副本的尝试。当副本失联或崩溃时，会从头开始另一次尝试。",
    pool: "使用同一机器类型和同一程序的副本。0 号池是主池：它的退出决定作业的结果。",
    replica: "您的程序，运行在不属于您的项目中。CLUSTER_SPEC 告诉它同伴是谁、自己的序号是多少。",
    account: "代码以谁的身份运行。不是您，而是一个服务账号；它无权做的事，代码也不能做。",
    metadata: "每个副本都有自己的元数据服务器。Google 的库向它询问项目和令牌，因此它们认为自己在租户项目里。",
  },
});
